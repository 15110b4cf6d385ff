"""Addresses of the portal: its own pages, then those the apps declare."""

from importlib import import_module

from django.urls import path
from django.utils.module_loading import autodiscover_modules

from dotmac.core import portal
from dotmac.portal.views import home, pages

autodiscover_modules("portal")
import_module("dotmac.portal.line")

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("help", home.help_, name="help"),
    path("choose", home.choose, name="choose"),
    path("series/<slug:name>", home.series, name="series"),
    *(path(page.path, pages.view_of(page), name=page.name) for page in portal.pages()),
]
