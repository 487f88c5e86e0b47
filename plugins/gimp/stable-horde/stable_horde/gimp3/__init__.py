"""The thin part that knows GIMP 3: menus, dialogs, reading pictures, placing results."""
