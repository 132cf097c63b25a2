"""The addresses of the site: each room brings its own."""

from django.urls import include, path

from essaim.config.metrics import metrics

handler400 = "essaim.portal.views.pages.misunderstood"
handler403 = "essaim.portal.views.pages.forbidden"
handler404 = "essaim.portal.views.pages.not_found"
handler500 = "essaim.portal.views.pages.failed"

urlpatterns = [path("metrics", metrics, name="metrics"), path("", include("essaim.portal.urls"))]
