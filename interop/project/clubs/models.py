"""A user model with an integer key, a table and columns of other names, and no PermissionsMixin."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class MemberManager(BaseUserManager):
    def create_user(self, nick, email="", password=None, **fields):
        member = self.model(nick=nick, email=self.normalize_email(email), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, nick, email="", password=None, **fields):
        return self.create_user(nick, email, password, is_admin=True, **fields)


class Member(AbstractBaseUser):
    number = models.AutoField(primary_key=True, db_column="member_no")
    nick = models.CharField("nickname", max_length=40, unique=True)
    email = models.EmailField("e-mail", db_column="mail", blank=True)
    fee = models.DecimalField(max_digits=6, decimal_places=2, default="12.50")
    is_admin = models.BooleanField(default=False)

    USERNAME_FIELD = "nick"
    REQUIRED_FIELDS = ["email"]
    objects = MemberManager()

    class Meta:
        db_table = "people"

    def __str__(self):
        return self.nick

    @property
    def is_staff(self):
        return self.is_admin
