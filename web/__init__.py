"""The product over HTTP: chat page, API, widget. Knows the coach only through `web.ports`."""
