"""Before the study: what can be detected, who is drawn, who is compared with whom."""
