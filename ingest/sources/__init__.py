"""Where articles and references come from. Each module turns one kind of source into `Found`s."""
