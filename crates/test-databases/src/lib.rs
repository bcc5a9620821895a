//! A fresh database on each server, for tests.
