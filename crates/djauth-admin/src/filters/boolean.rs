//! Yes or no.
