from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from reports import commands, views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("auth/verify", views.verify),
    path("", views.who),
    path("private/", views.private),
    path("report/", views.Report.as_view()),
    path("session/", views.session),
    path("_do", commands.do),
]
if apps.is_installed("allauth"):
    urlpatterns.append(path("allauth/", include("allauth.urls")))
