"""Addresses of open data, stable: they are harvested."""

from django.urls import path

from essaim.portal.opendata import views

urlpatterns = [
    path("donnees-ouvertes/", views.dataset_list, name="donnees-ouvertes"),
    path("donnees-ouvertes/<str:kind>/<str:code>/<str:form>", views.dataset_file, name="donnees-ouvertes-fichier"),
]
