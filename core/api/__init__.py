"""HTTP: parse what was asked, do it in one transaction, answer."""
