//! The log of logins and changes.
