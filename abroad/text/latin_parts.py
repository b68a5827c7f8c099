"""Parts of plants, fungi and animals as the Latin of pharmacopoeias names them.

A drug is called by its genus or species and the part that is used ("Coptis rhizoma",
"Salvia miltiorrhiza radix"); the part is no epithet, unless a species of that very genus has
it. The titles of drugs use a closed set of nouns: those of the WHO monographs on selected
medicinal plants (volumes 1 to 4, 1999 to 2009), the European Pharmacopoeia and the
Pharmacopoeia of the People's Republic of China, in the singular and the plural.
"""

from __future__ import annotations

PARTS = frozenset(
    """
    radix radices rhizoma rhizomata tuber tubera bulbus bulbi cormus caulis caules ramulus ramuli ramus lignum cortex
    cortices folium folia folliculus herba herbae summitas summitates cacumen flos flores gemma gemmae spica spicae
    stigma stigmata stylus stamen pollen fructus semen semina pericarpium exocarpium endocarpium mesocarpium testa
    arillus calyx pedicellus petiolus receptaculum strobilus strobili retinervus nodus medulla spina turio turiones
    thallus sclerotium resina gummi succus pulpa oleum aetheroleum balsamum amylum pix cera fel cornu concha
    """.split()
)
