//! The slice of django.db that authentication needs, on SQLite, PostgreSQL and MariaDB
