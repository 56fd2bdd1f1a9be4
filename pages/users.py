"""Users: who may sign in, as what, and for which districts."""

from app import data, figures, filters, panels, tables
from app.backend import backend

PAGE = "users"

user = data.require(PAGE)
chosen = filters.own(backend(), user)
panels.header(PAGE, chosen)
panels.administration.told()

people, districts = data.users.everybody(), data.users.districts()
panels.tiles(figures.administration.users(people))

panels.section("users.list", "users.list.help")
row = panels.pick(tables.administration.users(people, chosen.zone), "users")
if row is not None:
    panels.administration.user(people.row(row, named=True), districts)

panels.section("users.add", "users.add.help")
panels.administration.new_user(districts, people.height)
