//! Django's sessions: every engine, the same rows, cache entries, files and cookies
