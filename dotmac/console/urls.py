"""Addresses of the console. Screens are found by slug in the registry."""

from django.urls import path, register_converter

from dotmac.console.autodiscover import load_screens
from dotmac.console.converters import Key
from dotmac.console.views import details, home, screens, search

load_screens()
register_converter(Key, "key")

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("search", search.search, name="search"),
    path("business-date", home.business_date, name="business-date"),
    path("<slug:slug>/bulk/<slug:name>", screens.bulk, name="bulk"),
    path("<slug:slug>/<key:pk>", details.detail, name="detail"),
    path("<slug:slug>/<key:pk>/series/<slug:name>", details.series, name="series"),
    path("<slug:slug>/<key:pk>/<slug:name>", details.action, name="action"),
    path("<slug:slug>/export.<slug:kind>", screens.export_list, name="export"),
    path("<path:slug>", screens.screen, name="screen"),
]
