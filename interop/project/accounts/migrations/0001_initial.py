import uuid

from django.db import migrations, models
from django.utils import timezone


def many(to):
    return models.ManyToManyField(blank=True, related_name="user_set", related_query_name="user", to=to)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("password", models.CharField(max_length=128)),
                ("last_login", models.DateTimeField(blank=True, null=True)),
                ("is_superuser", models.BooleanField(default=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(max_length=100)),
                ("born", models.DateField(blank=True, null=True)),
                ("points", models.IntegerField(default=7)),
                ("is_staff", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("joined", models.DateTimeField(default=timezone.now)),
                ("groups", many("auth.group")),
                ("user_permissions", many("auth.permission")),
            ],
        ),
    ]
