"""The addresses of the site: each room brings its own."""

from django.urls import include, path

urlpatterns = [path("", include("essaim.portal.urls"))]
