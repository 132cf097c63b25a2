"""The addresses of the site: each room brings its own."""

from django.urls import include, path

from essaim.config.metrics import metrics

urlpatterns = [path("metrics", metrics, name="metrics"), path("", include("essaim.portal.urls"))]
