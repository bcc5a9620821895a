//! Integration tests of djauth.

mod http;
