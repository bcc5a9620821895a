//! Weaknesses that admins have had.
