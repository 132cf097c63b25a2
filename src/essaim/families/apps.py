from django.apps import AppConfig


class FamiliesConfig(AppConfig):
    name = "essaim.families"
    label = "families"
    verbose_name = "Familles"
