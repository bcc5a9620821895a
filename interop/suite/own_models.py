"""The user models of the project, as `AUTH_USER_MODEL` describes them to djauth's binary."""

import secrets

ACCOUNT = {
    "label": "accounts.Account",
    "USERNAME_FIELD": "email",
    "EMAIL_FIELD": "email",
    "REQUIRED_FIELDS": ["full_name"],
    "fields": [
        {"name": "password", "type": "CharField", "max_length": 128},
        {"name": "last_login", "type": "DateTimeField", "null": True, "blank": True},
        {"name": "is_superuser", "type": "BooleanField", "default": False},
        {"name": "id", "type": "UUIDField", "primary_key": True, "default": "uuid4"},
        {"name": "email", "type": "CharField", "max_length": 254, "unique": True},
        {"name": "full_name", "type": "CharField", "max_length": 100},
        {"name": "born", "type": "DateField", "null": True, "blank": True},
        {"name": "points", "type": "IntegerField", "default": 7},
        {"name": "is_staff", "type": "BooleanField", "default": False},
        {"name": "is_active", "type": "BooleanField", "default": True},
        {"name": "joined", "type": "DateTimeField", "default": "now"},
    ],
    "groups": {"table": "accounts_account_groups", "user": "account_id", "group": "group_id"},
    "user_permissions": {
        "table": "accounts_account_user_permissions", "user": "account_id", "permission": "permission_id",
    },
}

MEMBER = {
    "label": "clubs.Member",
    "db_table": "people",
    "USERNAME_FIELD": "nick",
    "EMAIL_FIELD": "email",
    "REQUIRED_FIELDS": ["email"],
    "is_staff": "is_admin",
    "fields": [
        {"name": "password", "type": "CharField", "max_length": 128},
        {"name": "last_login", "type": "DateTimeField", "null": True, "blank": True},
        {"name": "number", "type": "AutoField", "primary_key": True, "column": "member_no"},
        {"name": "nick", "type": "CharField", "max_length": 40, "unique": True, "verbose_name": "nickname"},
        {
            "name": "email", "type": "CharField", "max_length": 254, "column": "mail", "blank": True,
            "verbose_name": "e-mail",
        },
        {"name": "fee", "type": "DecimalField", "default": "12.50"},
        {"name": "is_admin", "type": "BooleanField", "default": False},
    ],
}


class Model:
    """One of the models: what its users are called, and what a new one needs."""

    def __init__(self, description, table, name_column, fields):
        self.description = description
        self.label = description["label"]
        self.name = description["USERNAME_FIELD"]
        self.table, self.name_column = table, name_column
        self.fields = fields
        keys = [field["name"] for field in description["fields"] if field.get("primary_key")]
        self.key_name = keys[0]
        self.has_permissions = "groups" in description

    def fresh_name(self):
        name = f"u{secrets.token_hex(4)}"
        return f"{name}@example.com" if self.name == "email" else name


MODELS = {
    "account": Model(ACCOUNT, "accounts_account", "email", {"full_name": "Ann Other"}),
    "member": Model(MEMBER, "people", "nick", {}),
}
#: Backends under paths of other packages, with what djauth has in their place.
BACKENDS = {
    "AUTHENTICATION_BACKENDS": ["house.backends.Lockout", "house.backends.Accounts"],
    "AUTHENTICATION_BACKEND_ALIASES": {
        "house.backends.Lockout": "BaseBackend", "house.backends.Accounts": "ModelBackend",
    },
}
