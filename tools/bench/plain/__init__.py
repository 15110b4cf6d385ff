"""The reference for lists: plain Django REST framework, set up fairly."""
