"""Link estimators, as notebooks show them, to their pages in the documentation."""

DOCS = "https://sksvs.readthedocs.io/en/stable"


class DocumentationLink:
    """A base of estimators whose HTML links to their page in the documentation.

    It sets what scikit-learn's developers' guide names for this purpose. Estimators of other
    packages that inherit it have no link.
    """

    _doc_link_module = "sksvs"
    _doc_link_template = f"{DOCS}/reference/generated/{{page}}.html"

    def _doc_link_url_param_generator(self):
        """Return the name of the page: the class in the subpackage that exports it."""
        subpackage = ".".join(type(self).__module__.split(".")[:2])
        return {"page": f"{subpackage}.{type(self).__name__}"}
