from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "essaim.training"
    label = "training"
    verbose_name = "Formation"
