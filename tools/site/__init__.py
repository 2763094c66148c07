"""The site: `python -m tools.site` writes its pages' sources and builds it with Sphinx.

pages     writes the sources: docs/, pages kept elsewhere, API pages, executed scripts
names     the public names, by module
pictures  a picture for each kernel, filter, boundary and mode
scripts   runs a script, and makes a page of its text, its output and its figures
links     points links that leave docs/ at the site's pages
conf      settings of Sphinx
"""
