"""All the work, free of Prefect: each part can be used alone in a Python shell."""
