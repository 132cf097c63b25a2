"""Addresses of the portal, in French, stable: they are quoted in minutes and reports."""

from django.urls import include, path

from essaim.portal.views import accounts, figures, pages, places, submissions

urlpatterns = [
    path("", places.home, name="accueil"),
    path("connexion/", accounts.SignIn.as_view(), name="connexion"),
    path("", include("essaim.portal.sign_in.urls")),
    path("", include("essaim.portal.api.urls")),
    path("recherche/", places.search_page, name="recherche"),
    path("territoires/<str:code>/", places.territory_detail, name="territoire"),
    path("territoires/<str:code>/etablissements/", places.territory_schools, name="territoire-etablissements"),
    path("etablissements/<str:uai>/", places.school_detail, name="etablissement"),
    path("indicateurs/", figures.indicator_list, name="indicateurs"),
    path("chiffres/<str:level>/<str:unit>/<str:code>/", figures.figure_detail, name="chiffre"),
    path("chiffres/<str:level>/<str:unit>/<str:code>/etablissements/", figures.figure_schools, name="chiffre-etablissements"),
    path("chiffres/<str:level>/<str:unit>/<str:code>/origine/", figures.figure_trace, name="chiffre-trace"),
    path("origine/<int:number>/<int:row>/", figures.origin, name="origine"),
    path("depots/", submissions.submission_list, name="depots"),
    path("depots/nouveau/", submissions.submission_new, name="depot-nouveau"),
    path("depots/<int:pk>/", submissions.submission_detail, name="depot"),
    path("depots/<int:pk>/questions/", submissions.submission_answer, name="depot-repondre"),
    path("depots/<int:pk>/remarques/", submissions.submission_issues, name="depot-anomalies"),
    path("depots/<int:pk>/corrections/", submissions.submission_corrections, name="depot-corrections"),
    path("depots/<int:pk>/classeur-annote/", submissions.submission_annotated, name="depot-annote"),
    path("depots/<int:pk>/fichier/", submissions.submission_file, name="depot-fichier"),
    path("depots/<int:pk>/<str:act>/", submissions.submission_act, name="depot-acte"),
    path("contrats/", pages.contract_list, name="contrats"),
    path("contrats/<str:code>/", pages.contract_detail, name="contrat"),
    path("contrats/<str:code>/schema.json", pages.contract_schema, name="contrat-schema"),
    path("contrats/<str:code>/modele.xlsx", pages.contract_template, name="contrat-modele"),
    path("aide/", pages.help_page, name="aide"),
    path("aide/<slug:name>/", pages.help_page, name="aide-page"),
    path("accessibilite/", pages.help_page, {"name": "accessibilite"}, name="accessibilite"),
    path("mentions-legales/", pages.help_page, {"name": "mentions-legales"}, name="mentions-legales"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
