"""What every other package stands on: documents, files, errors, resumption, records of runs, pages."""
