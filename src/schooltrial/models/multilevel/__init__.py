"""Multilevel models of pupils in schools, and of schools in districts."""
