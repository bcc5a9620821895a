"""Pages that say what this side thinks of a visitor."""

import json
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpResponse, JsonResponse
from django.views import View


def facts(request):
    user = request.user
    return {
        "user": user.get_username(),
        "id": None if user.pk is None else str(user.pk),
        "is_authenticated": user.is_authenticated,
        # A model without PermissionsMixin has neither.
        "is_superuser": getattr(user, "is_superuser", False),
        "permissions": sorted(getattr(user, "get_all_permissions", list)()),
    }


def who(request):
    return JsonResponse(facts(request))


@login_required
def private(request):
    return JsonResponse(facts(request))


class Report(PermissionRequiredMixin, View):
    permission_required = "reports.publish_report"

    def get(self, request):
        return HttpResponse("published", content_type="text/plain; charset=utf-8")


def session(request):
    """GET: what the session holds. POST: a JSON object; its keys are set, those with null removed."""
    if request.method == "POST":
        for key, value in json.loads(request.body).items():
            if value is None:
                request.session.pop(key, None)
            else:
                request.session[key] = value
    held = {k: v for k, v in request.session.items() if not k.startswith("_auth_user_hash")}
    return JsonResponse(held)


def verify(request):
    """What djauth's `/auth/verify` does, as a Django site would write it (for the benchmarks)."""
    user = request.user
    if not user.is_authenticated:
        return HttpResponse(status=401, headers={"Cache-Control": "no-store"})
    if request.GET.getlist("perm") and not user.has_perms(request.GET.getlist("perm")):
        return HttpResponse(status=403, headers={"Cache-Control": "no-store"})
    headers = {"X-Remote-User": quote(user.get_username()), "Cache-Control": "no-store"}
    return HttpResponse(status=200, headers=headers)
