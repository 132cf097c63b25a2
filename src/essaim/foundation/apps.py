from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "essaim.foundation"
    label = "foundation"
    verbose_name = "Socle"
