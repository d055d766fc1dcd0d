"""The command ``schooltrial``, one module a command."""
