"""Makes the counts and weights in `abroad/text/data` from the corpora in ../shared/data; not needed at run time."""
