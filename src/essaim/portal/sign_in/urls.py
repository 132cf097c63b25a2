"""Addresses of sign-in through the provider, and of signing out of both."""

from django.urls import path

from essaim.portal.sign_in import views

urlpatterns = [
    path("connexion/fournisseur/", views.Start.as_view(), name="oidc-connexion"),
    path("connexion/fournisseur/retour/", views.Return.as_view(), name="oidc-retour"),
    path("connexion/sans-mandat/", views.without_mandate, name="sans-mandat"),
    path("deconnexion/", views.sign_out, name="deconnexion"),
    path("deconnexion/fournisseur/", views.farewell, name="deconnexion-fournisseur"),
]
