-- What `manage.py migrate` makes for this model on SQLite.
CREATE TABLE IF NOT EXISTS accounts_account (
    password varchar(128) NOT NULL,
    last_login datetime NULL,
    is_superuser bool NOT NULL,
    id char(32) NOT NULL PRIMARY KEY,
    email varchar(254) NOT NULL UNIQUE,
    full_name varchar(100) NOT NULL,
    is_active bool NOT NULL
);
CREATE TABLE IF NOT EXISTS accounts_account_groups (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id char(32) NOT NULL REFERENCES accounts_account (id) DEFERRABLE INITIALLY DEFERRED,
    group_id integer NOT NULL REFERENCES auth_group (id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (account_id, group_id)
);
CREATE TABLE IF NOT EXISTS accounts_account_user_permissions (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id char(32) NOT NULL REFERENCES accounts_account (id) DEFERRABLE INITIALLY DEFERRED,
    permission_id integer NOT NULL REFERENCES auth_permission (id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (account_id, permission_id)
);
