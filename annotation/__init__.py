"""The curation loop on Argilla: predictions in, curators' decisions out, back into training and evaluation."""
