from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Member",
            fields=[
                ("password", models.CharField(max_length=128)),
                ("last_login", models.DateTimeField(blank=True, null=True)),
                ("number", models.AutoField(db_column="member_no", primary_key=True)),
                ("nick", models.CharField("nickname", max_length=40, unique=True)),
                ("email", models.EmailField("e-mail", db_column="mail", max_length=254, blank=True)),
                ("fee", models.DecimalField(decimal_places=2, default="12.50", max_digits=6)),
                ("is_admin", models.BooleanField(default=False)),
            ],
            options={"db_table": "people"},
        ),
    ]
