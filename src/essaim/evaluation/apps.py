from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "essaim.evaluation"
    label = "evaluation"
    verbose_name = "Évaluation"
