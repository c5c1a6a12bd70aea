"""A web page that shows what a network makes of a video: tools/demo_app.py."""
