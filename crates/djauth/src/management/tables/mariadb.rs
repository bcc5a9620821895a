//! MariaDB. One statement a table, because each statement commits by itself: a table is there whole or not at all.

use super::Table;

/// `django_migrations`.
pub(super) const RECORDER: Table = Table {
    name: "django_migrations",
    statements: &[
        r#"CREATE TABLE "django_migrations" ("id" bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime(6) NOT NULL)"#,
    ],
};

/// `djauth_login_attempts`.
pub(super) const LOGIN_ATTEMPTS: Table = Table {
    name: "djauth_login_attempts",
    statements: &[
        r#"CREATE TABLE "djauth_login_attempts" ("counter" varchar(64) NOT NULL PRIMARY KEY, "period_end" bigint NOT NULL, "attempts" bigint NOT NULL, KEY "djauth_login_attempts_period_end" ("period_end"))"#,
    ],
};

/// `usersessions_usersession`, as the migration of django-allauth makes it.
pub(super) const USER_SESSIONS: Table = Table {
    name: "usersessions_usersession",
    statements: &[
        r#"CREATE TABLE "usersessions_usersession" ("id" bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "created_at" datetime(6) NOT NULL, "ip" char(39) NOT NULL, "last_seen_at" datetime(6) NOT NULL, "session_key" varchar(40) NOT NULL UNIQUE, "user_agent" varchar(200) NOT NULL, "data" json NOT NULL, "user_id" {user_type} NOT NULL, CONSTRAINT {user_constraint} FOREIGN KEY ("user_id") REFERENCES {user_table} ({user_key}))"#,
    ],
};

/// The tables of the four apps, each after those that it points at.
pub(super) const TABLES: [Table; 9] = [
    Table {
        name: "django_content_type",
        statements: &[
            r#"CREATE TABLE "django_content_type" ("id" integer NOT NULL AUTO_INCREMENT PRIMARY KEY, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL, CONSTRAINT "django_content_type_app_label_model_76bd3d3b_uniq" UNIQUE ("app_label", "model"))"#,
        ],
    },
    Table {
        name: "auth_permission",
        statements: &[
            r#"CREATE TABLE "auth_permission" ("id" integer NOT NULL AUTO_INCREMENT PRIMARY KEY, "name" varchar(255) NOT NULL, "content_type_id" integer NOT NULL, "codename" varchar(100) NOT NULL, CONSTRAINT "auth_permission_content_type_id_codename_01ab375a_uniq" UNIQUE ("content_type_id", "codename"), CONSTRAINT "auth_permission_content_type_id_2f476e4b_fk_django_co" FOREIGN KEY ("content_type_id") REFERENCES "django_content_type" ("id"))"#,
        ],
    },
    Table {
        name: "auth_group",
        statements: &[
            r#"CREATE TABLE "auth_group" ("id" integer NOT NULL AUTO_INCREMENT PRIMARY KEY, "name" varchar(150) NOT NULL UNIQUE)"#,
        ],
    },
    Table {
        name: "auth_group_permissions",
        statements: &[
            r#"CREATE TABLE "auth_group_permissions" ("id" bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "group_id" integer NOT NULL, "permission_id" integer NOT NULL, CONSTRAINT "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" UNIQUE ("group_id", "permission_id"), CONSTRAINT "auth_group_permissio_permission_id_84c5c92e_fk_auth_perm" FOREIGN KEY ("permission_id") REFERENCES "auth_permission" ("id"), CONSTRAINT "auth_group_permissions_group_id_b120cbf9_fk_auth_group_id" FOREIGN KEY ("group_id") REFERENCES "auth_group" ("id"))"#,
        ],
    },
    Table {
        name: "auth_user",
        statements: &[
            r#"CREATE TABLE "auth_user" ("id" integer NOT NULL AUTO_INCREMENT PRIMARY KEY, "password" varchar(128) NOT NULL, "last_login" datetime(6) NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "first_name" varchar(150) NOT NULL, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime(6) NOT NULL)"#,
        ],
    },
    Table {
        name: "auth_user_groups",
        statements: &[
            r#"CREATE TABLE "auth_user_groups" ("id" bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "user_id" integer NOT NULL, "group_id" integer NOT NULL, CONSTRAINT "auth_user_groups_user_id_group_id_94350c0c_uniq" UNIQUE ("user_id", "group_id"), CONSTRAINT "auth_user_groups_group_id_97559544_fk_auth_group_id" FOREIGN KEY ("group_id") REFERENCES "auth_group" ("id"), CONSTRAINT "auth_user_groups_user_id_6a12ed8b_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id"))"#,
        ],
    },
    Table {
        name: "auth_user_user_permissions",
        statements: &[
            r#"CREATE TABLE "auth_user_user_permissions" ("id" bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, "user_id" integer NOT NULL, "permission_id" integer NOT NULL, CONSTRAINT "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" UNIQUE ("user_id", "permission_id"), CONSTRAINT "auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm" FOREIGN KEY ("permission_id") REFERENCES "auth_permission" ("id"), CONSTRAINT "auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id"))"#,
        ],
    },
    Table {
        name: "django_admin_log",
        statements: &[
            r#"CREATE TABLE "django_admin_log" ("id" integer NOT NULL AUTO_INCREMENT PRIMARY KEY, "action_time" datetime(6) NOT NULL, "object_id" longtext NULL, "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0), "change_message" longtext NOT NULL, "content_type_id" integer NULL, "user_id" {user_type} NOT NULL, CONSTRAINT "django_admin_log_content_type_id_c4bce8eb_fk_django_co" FOREIGN KEY ("content_type_id") REFERENCES "django_content_type" ("id"), CONSTRAINT {user_constraint} FOREIGN KEY ("user_id") REFERENCES {user_table} ({user_key}))"#,
        ],
    },
    Table {
        name: "django_session",
        statements: &[
            r#"CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" longtext NOT NULL, "expire_date" datetime(6) NOT NULL, INDEX "django_session_expire_date_a5c62663" ("expire_date"))"#,
        ],
    },
];
