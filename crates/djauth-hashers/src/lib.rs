//! Django's password hashers: every format, byte for byte
