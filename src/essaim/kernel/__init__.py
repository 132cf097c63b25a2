"""Pure values of the domain: identifiers, places' codes, periods, money, French notation. Nothing else is imported."""
