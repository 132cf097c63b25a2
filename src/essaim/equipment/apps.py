from django.apps import AppConfig


class EquipmentConfig(AppConfig):
    name = "essaim.equipment"
    label = "equipment"
    verbose_name = "Équipement"
