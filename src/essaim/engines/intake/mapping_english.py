"""English headers, as software writes them, in the words of French contracts."""

from __future__ import annotations

_PHRASES = {
    "tablet": "tablette", "tablets": "tablettes", "school id": "uai", "school code": "uai", "school number": "uai", "school identifier": "uai", "institution id": "uai", "uai code": "code uai",
    "school": "etablissement", "school name": "nom de l etablissement", "institution": "etablissement", "establishment": "etablissement",
    "city": "commune", "town": "commune", "municipality": "commune", "city name": "nom de la commune", "zip": "code postal", "zip code": "code postal",
    "postcode": "code postal", "postal code": "code postal", "city code": "code commune", "municipality code": "code commune", "county": "departement",
    "department": "departement", "department code": "code departement", "item": "article", "items": "article", "item category": "categorie",
    "item type": "type de materiel", "equipment": "equipement", "equipment type": "type d equipement", "device": "equipement", "device type": "type de materiel",
    "category": "categorie", "product": "produit", "quantity": "quantite", "qty": "quantite", "count": "nombre", "number of devices": "nombre d equipements",
    "quantity delivered": "quantite livree", "delivered quantity": "quantite livree", "qty delivered": "quantite livree", "quantity ordered": "quantite commandee",
    "ordered quantity": "quantite commandee", "quantity received": "quantite recue", "received quantity": "quantite recue", "ordered qty": "quantite commandee", "qty ordered": "quantite commandee", "delivered qty": "quantite livree",
    "received qty": "quantite recue", "qty received": "quantite recue", "unit price": "prix unitaire",
    "price": "prix unitaire", "unit cost": "prix unitaire", "amount": "montant", "total amount": "montant total", "total price": "montant total", "total cost": "cout total",
    "order": "commande", "order number": "numero de commande", "order id": "numero de commande", "order ref": "numero de commande", "order reference": "reference commande",
    "purchase order": "bon de commande", "po": "bon de commande", "po number": "bon de commande", "order date": "date de commande", "ordered on": "date de commande",
    "date ordered": "date de commande", "delivery": "livraison", "delivery number": "numero de livraison", "delivery note": "bon de livraison",
    "delivery ref": "bon de livraison", "delivery id": "numero de livraison", "delivery date": "date de livraison", "delivered on": "date de livraison",
    "date delivered": "date de livraison", "planned delivery date": "date de livraison prevue", "planned date": "date prevue", "expected date": "date prevue",
    "due date": "date prevue", "revised date": "date revisee", "actual date": "date reelle", "actual delivery date": "date de livraison reelle",
    "received on": "date de reception", "reception date": "date de reception", "date received": "date de reception", "installation date": "date d installation",
    "installed on": "date d installation", "configured": "configure", "ready": "pret a l emploi", "working": "en etat de marche", "in use": "en service",
    "loaned": "pretes", "on loan": "en pret", "inventory date": "date d inventaire", "counted on": "date de comptage", "supplier": "fournisseur", "vendor": "fournisseur",
    "buyer": "acheteur", "funding": "financement", "funding source": "source de financement", "condition": "etat", "brand": "marque", "model": "modele",
    "comment": "commentaire", "comments": "commentaires", "remarks": "remarques", "notes": "observations", "note": "observations", "line": "ligne", "line number": "numero de ligne",
    "year": "annee", "school year": "annee scolaire", "purchase year": "annee d achat", "pupils": "nombre d eleves", "students": "nombre d eleves",
    "number of pupils": "nombre d eleves", "number of students": "nombre d eleves", "classes": "nombre de classes", "name": "nom", "date": "date", "status": "etat",
    "latitude": "latitude", "longitude": "longitude", "company number": "siret",
}  # fmt: skip


def in_french(form: str) -> str | None:
    """The French header that a folded English one stands for; None when it is not a known English header."""
    return _PHRASES.get(form) or _PHRASES.get(form.removeprefix("the ").removesuffix(" excl vat").removesuffix(" excl tax"))
