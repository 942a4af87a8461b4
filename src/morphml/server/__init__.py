"""What a master offers over HTTP; each part is thin and asks the master."""
