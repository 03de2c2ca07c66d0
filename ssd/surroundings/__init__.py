"""What a program gets besides its user: variables of files, limits, rights, and their texts."""
