"""Files shaped like the published ones, in several header styles."""

from __future__ import annotations

COMMUNES = """code,nom,type,chef_lieu,departement,region,population,siren,codes_postaux,anciens_codes
02408,Laon,commune-actuelle,,02,32,24000,210203873,02000,
02691,Saint-Quentin,commune-actuelle,,02,32,53000,210206660,02100,02999
14118,Caen,commune-actuelle,,14,28,105000,211401187,14000,
75056,Paris,commune-actuelle,,75,11,2100000,217500016,75001|75002,
"""
EPCI = """epci,epci_nom,epci_type,commune,commune_nom
200043495,CA du Pays de Laon,CA,02408,Laon
200071892,CA du Saint-Quentinois,CA,02691,Saint-Quentin
"""
DIRECTORY_LABELS = """\ufeffIdentifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code postal;Code_commune;Nom_commune;Code_departement;SIREN_SIRET;Nombre_d_eleves;Type_contrat_prive;Libelle_departement;nom_circonscription;latitude;longitude;date_ouverture;date_maj_ligne;etat;libelle_nature;etablissement_mere;Appartenance_Education_Prioritaire
0020011B;École élémentaire Jean Moulin;Ecole;Public;02000;02408;Laon;002;;120;SANS OBJET;Aisne;Circonscription de Laon;49.56;3.62;1965-05-01;2023-06-08;OUVERT;ECOLE DE NIVEAU ELEMENTAIRE;;REP
0020012C;Collège Charlemagne;Collège;Public;02000;02408;Laon;002;;400;SANS OBJET;Aisne;;49.57;3.63;1966-09-01;2023-06-08;OUVERT;COLLEGE;;
0020012C;Collège Charlemagne (annexe);Collège;Public;02100;02691;Saint-Quentin;002;;400;SANS OBJET;Aisne;;49.84;3.29;1966-09-01;2023-06-08;OUVERT;COLLEGE;;
0020013D;Collège privé Saint-Jean;Collège;Privé;02100;02999;Saint Quentin;002;21020387300018;300;CONTRAT D'ASSOCIATION TOUTES CLASSES;Aisne;;49.85;3.30;1970-09-01;2023-06-08;OUVERT;COLLEGE;;
0140013N;Lycée Malherbe;Lycée;Public;14000;14118;Caen;014;;900;SANS OBJET;Calvados;;49.18;-0.37;1950-09-01;2023-06-08;OUVERT;LYCEE ENSEIGNT GENERAL ET TECHNOLOGIQUE;;
"""
DIRECTORY_TECHNICAL = """identifiant_de_l_etablissement,nom_etablissement,type_etablissement,statut_public_prive,code_postal,code_commune,nom_commune,code_departement,siren_siret,nombre_d_eleves,type_contrat_prive,libelle_departement,nom_circonscription,latitude,longitude,date_ouverture,date_maj_ligne,etat,libelle_nature,etablissement_mere,appartenance_education_prioritaire
0140013N,Lycée Malherbe,Lycée,Public,14000,14118,Caen,014,,900,SANS OBJET,Calvados,,49.18,-0.37,1950-09-01,2023-06-08,OUVERT,LYCEE ENSEIGNT GENERAL ET TECHNOLOGIQUE,,
0020013D,Collège privé Saint-Jean,Collège,Privé,02100,02999,Saint Quentin,002,21020387300018,300,CONTRAT D'ASSOCIATION TOUTES CLASSES,Aisne,,49.85,3.30,1970-09-01,2023-06-08,OUVERT,COLLEGE,,
0020012C,Collège Charlemagne,Collège,Public,02000,02408,Laon,002,,400,SANS OBJET,Aisne,,49.57,3.63,1966-09-01,2023-06-08,OUVERT,COLLEGE,,
0020012C,Collège Charlemagne (annexe),Collège,Public,02100,02691,Saint-Quentin,002,,400,SANS OBJET,Aisne,,49.84,3.29,1966-09-01,2023-06-08,OUVERT,COLLEGE,,
0020011B,École élémentaire Jean Moulin,Ecole,Public,02000,02408,Laon,002,,120,SANS OBJET,Aisne,Circonscription de Laon,49.56,3.62,1965-05-01,2023-06-08,OUVERT,ECOLE DE NIVEAU ELEMENTAIRE,,REP
"""
GEOLOCATION = """numero_uai;appellation_officielle;denomination_principale;patronyme_uai;secteur_public_prive_libe;adresse_uai;lieu_dit_uai;boite_postale_uai;code_postal_uai;localite_acheminement_uai;libelle_commune;coordonnee_x;coordonnee_y;EPSG;latitude;longitude;appariement;localisation;nature_uai;nature_uai_libe;etat_etablissement;etat_etablissement_libe;code_departement;code_region;code_academie;code_commune;libelle_departement;libelle_region;libelle_academie;position;secteur_prive_code_type_contrat;secteur_prive_libelle_type_contrat;code_ministere;libelle_ministere;date_ouverture
0020014E;Ecole maternelle Les Lilas;ECOLE MATERNELLE PUBLIQUE;LES LILAS;Public;1 RUE DES LILAS;;;02000;LAON;Laon;1.0;2.0;EPSG:2154;49.55;3.61;PARFAITE;Numéro de rue;101;ECOLE MATERNELLE;1;OUVERT;002;32;20;02408;Aisne;Hauts-de-France;Amiens;49.55,3.61;99;SANS OBJET;06;MINISTERE DE L'EDUCATION NATIONALE;1972-09-01
"""
PRIORITY = """uai;ep_2022_2023;nom_etablissement;type_etablissement;statut_public_prive;libelle_academie;libelle_departement;nom_commune;libelle_region;uai_tete_de_reseau;qp_a_proximite_o_n;qp_a_proximite;nom_du_qp;nombre_d_eleves;code_postal;code_commune;code_departement;code_academie;code_region;libelle_nature;code_nature;latitude;longitude
0020012C;REP+;Collège Charlemagne;Collège;Public;Amiens;Aisne;Laon;Hauts-de-France;0020012C;Dans QP;QP002001;Champagne;400;02000;02408;002;20;32;COLLEGE;340;49.57;3.63
0020012C;REP+;Collège Charlemagne;Collège;Public;Amiens;Aisne;Laon;Hauts-de-France;0020012C;Dans QP;QP002001;Champagne;400;02000;02408;002;20;32;COLLEGE;340;49.57;3.63
"""
CLOSED = """numero_uai;appellation_officielle;denomination_principale;patronyme_uai;secteur_public_prive_libe;date_ouverture;date_fermeture;code_postal_uai;latitude;longitude;nature_uai;nature_uai_libe;code_departement;code_commune;libelle_departement;libelle_commune;uai_successeur
0020015F;Ecole primaire Vieux Laon;ECOLE PRIMAIRE PUBLIQUE;VIEUX LAON;Public;1965-05-01;2021-08-31;02000;49.5;3.6;151;ECOLE DE NIVEAU ELEMENTAIRE;002;02408;Aisne;Laon;0020011B
"""
POSITION_SCHOOLS = """\ufeffRentrée scolaire;Académie;Code du département;Département;UAI;Nom de l'établissment;Code INSEE de la commune;Nom de la commune;Secteur;Effectifs;IPS\r
2022-2023;AMIENS;002;AISNE;0020011B;ECOLE ELEMENTAIRE JEAN MOULIN;02408;LAON;public;118.0;85.4\r
2022-2023;AMIENS;002;AISNE;0020014E;ECOLE MATERNELLE LES LILAS;02408;LAON;public;60.0;NS\r
"""
POSITION_COLLEGES = """rentree_scolaire;code_region;region_academique;code_academie;academie;code_du_departement;departement;uai;nom_de_l_etablissement;code_insee_de_la_commune;nom_de_la_commune;secteur;effectifs;ips;ecart_type_de_l_ips;ips_national;ips_academique;ips_departemental
2023-2024;32;HAUTS-DE-FRANCE;20;AMIENS;002;AISNE;0020012C;COLLEGE CHARLEMAGNE;02408;LAON;public;402.0;92.1;31.0;105.2;98.4;96.0
2023-2024;32;HAUTS-DE-FRANCE;20;AMIENS;002;AISNE;0020013D;COLLEGE SAINT JEAN;02691;SAINT QUENTIN;privé sous contrat;301.0;118.5;25.0;105.2;98.4;96.0
"""
POSITION_LYCEES = """rentree_scolaire;academie;code_du_departement;departement;uai;nom_de_l_etablissement;code_insee_de_la_commune;nom_de_la_commune;secteur;type_de_lycee;effectifs_voie_gt;ips_voie_gt;effectifs_voie_pro;ips_voie_pro;ips_etab;ecart_type_voie_gt;ecart_type_voie_pro;ecart_type_etablissement
2023-2024;NORMANDIE;014;CALVADOS;0140013N;LYCEE MALHERBE;14118;CAEN;public;LEGT;900;121.0;;;121.0;28.0;;28.0
"""
ENROLMENT_SCHOOLS = """rentree_scolaire;region_academique;academie;departement;commune;numero_ecole;denomination_principale;patronyme;secteur;rep;rep_plus;nombre_total_classes;nombre_total_eleves;nombre_eleves_preelementaire_hors_ulis;nombre_eleves_elementaire_hors_ulis;nombre_eleves_ulis;nombre_eleves_cp_hors_ulis;nombre_eleves_ce1_hors_ulis;nombre_eleves_ce2_hors_ulis;nombre_eleves_cm1_hors_ulis;nombre_eleves_cm2_hors_ulis;tri;code_postal;code_commune_insee
2023;HAUTS-DE-FRANCE;AMIENS;AISNE;LAON;0020011B;ECOLE ELEMENTAIRE PUBLIQUE;JEAN MOULIN;PUBLIC;1;0;5;119;0;119;0;24;24;24;24;23;x;02000;02000
2024;HAUTS-DE-FRANCE;AMIENS;AISNE;LAON;0020011B;ECOLE ELEMENTAIRE PUBLIQUE;JEAN MOULIN;PUBLIC;1;0;5;121;0;121;0;25;24;24;24;24;x;02000;02000
"""
ENROLMENT_COLLEGES = """rentree_scolaire;code_region_academique;region_academique;code_aca;academie;code_dept;departement;code_commune;commune;numero_college;denomination_principale;patronyme;secteur;rep;rep0;nombre_eleves_total;nombre_eleves_total_hors_segpa_hors_ulis;nombre_d_eleves_total_segpa;nombre_d_eleves_total_ulis;nombre_total_de_6emes;6emes_hors_segpa_hors_ulis
2023;22;HAUTS-DE-FRANCE;20;AMIENS;002;AISNE;02408;LAON;0020012C;COLLEGE;CHARLEMAGNE;PUBLIC;1;0;585;574;0;11;140;138
"""
ENROLMENT_LYCEES_GT = """rentree_scolaire;code_region_academique;region_academique;code_academie_et_assimile;academie;code_departement_pays;departement;code_commune;commune;numero_lycee;denomination_principale;patronyme;secteur;nombre_d_eleves;2ndes_gt;2ndes_gt_filles;2ndes_gt_garcons
2023;22;HAUTS-DE-FRANCE;20;AMIENS;002;AISNE;02408;LAON;0020013D;LYCEE GENERAL ET TECHNOLOGIQUE;PAUL CLAUDEL;PUBLIC;981;340;180;160
"""
ENROLMENT_LYCEES_PRO = """rentree_scolaire;code_region_academique;region_academique;code_academie;academie;code_departement;departement;code_commune;commune;numero_lycee;denomination_principale;patronyme;secteur;nombre_d_eleves;2ndes_pro;2ndes_pro_filles;2ndes_pro_garcons
2023;22;HAUTS-DE-FRANCE;20;AMIENS;002;AISNE;02000;LAON;0020013D;LYCEE PROFESSIONNEL;JULIE DAUBIE;PUBLIC;303;130;60;70
"""
COMPILED = """UAI,Secteur,Nombre d'élèves,Latitude WGS84,Longitude WGS84,Niveau
0020011B,PUBLIC,999,49.56,3.62,École
0020012C,PUBLIC,390,49.57,3.63,Collège
0020012C,PUBLIC,60,49.57,3.63,Lycée professionnel
0140013N,PUBLIC,890,49.18,-0.37,Lycée GT
"""
RESULTS = """session;uai;nom_de_l_etablissement;commune;departement;academie;secteur;nb_candidats_g;taux_de_reussite_g;va_du_taux_de_reussite_g;nb_candidats_p;taux_de_reussite_p;note_a_l_ecrit_g;va_de_la_note_g;note_a_l_ecrit_p;taux_d_acces_6eme_3eme;part_presents_3eme_ordinaire_total;nb_mentions_ab_g
2023;0020012C;COLLEGE CHARLEMAGNE;LAON;AISNE;AMIENS;PU;95;78.0;+1;;;9.3;-1,1;ND;91.0;97.0;20
"""
EVERYTHING = {
    "communes_2026.csv": COMMUNES,
    "epci_2026.csv": EPCI,
    "fr-en-annuaire-education.csv": DIRECTORY_LABELS,
    "geolocalisation.csv": GEOLOCATION,
    "fr-en-etablissements-ep.csv": PRIORITY,
    "fermes.csv": CLOSED,
    "fr-en-ips-ecoles-ap2022.csv": POSITION_SCHOOLS,
    "fr-en-ips-colleges-ap2023.csv": POSITION_COLLEGES,
    "fr-en-ips-lycees-ap2023.csv": POSITION_LYCEES,
    "fr-en-ecoles-effectifs-nb_classes.csv": ENROLMENT_SCHOOLS,
    "effectifs_compiles_rentree2024.csv": COMPILED,
    "ivac.csv": RESULTS,
}
FRAGILITY = """code_iris;nom_com;nom_iris;SCORE GLOBAL ;Population;GLOBAL ACCES
024080101;Laon;Ville haute;80;1000;70
024080102;Laon;Champagne;160;3000;150
029990000;Saint-Quentin (ancienne);Ouest;110;1000;100
026910101;Saint-Quentin;Centre;0;500;90
026910102;Saint-Quentin;Vide;300;0;90
141180101;Caen;Centre;90;4000;80
751010101;Paris 1er Arrondissement;Louvre;70;3500.5;60
751020101;Paris 2e Arrondissement;Bourse;60;3499.5;60
"""
