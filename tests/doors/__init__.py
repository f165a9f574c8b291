"""Small methods of coming families, to prove that they fit through the doors without an edit."""
