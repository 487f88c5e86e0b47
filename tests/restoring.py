"""Makes a used PostgreSQL database as good as new: far quicker than making a new one.

The template carries a schema of its own, `fresh`, which every clone has with it: the rows that a
migrated database begins with, where its sequences stand, and a function that brings them back.
"""

import contextlib

import asyncpg

PREPARE = """
create schema fresh;

create view fresh.shape as
select md5(string_agg(concat_ws(' ', c.oid, c.relname, a.attname, a.atttypid, a.attnotnull), ','
                      order by c.oid, a.attnum)) as digest
from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'public'::regnamespace;
create table fresh.shape_then as select digest from fresh.shape;

create table fresh.sequences as
select format('%I.%I', schemaname, sequencename)::regclass as name,
       coalesce(last_value, start_value) as value, last_value is not null as is_called
from pg_sequences where schemaname = 'public';

create table fresh.tables as
select c.oid::regclass as name, string_agg(quote_ident(a.attname), ', ') as fields,
       false as has_rows
from pg_class c join pg_attribute a
  on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' group by c.oid;

do $$
declare each record; found boolean;
begin
  for each in select * from fresh.tables loop
    execute format('select exists (select 1 from %s)', each.name) into found;
    if found then
      execute format('create table fresh.%s as select * from public.%s', each.name, each.name);
      update fresh.tables set has_rows = true where name = each.name;
    end if;
  end loop;
end $$;

create function fresh.restore() returns boolean language plpgsql as $$
declare each record;
begin
  if (select digest from fresh.shape) <> (select digest from fresh.shape_then) then
    return false;
  end if;
  -- Table by table, so no foreign key may object in between.
  perform set_config('session_replication_role', 'replica', true);
  for each in select name, pg_relation_size(name) as bytes from fresh.tables loop
    if each.bytes > 1000000 then
      execute format('truncate %s cascade', each.name);
    else
      execute format('delete from %s', each.name);
    end if;
  end loop;
  for each in select * from fresh.tables where has_rows loop
    execute format('insert into %s (%s) overriding system value select %s from fresh.%s',
                   each.name, each.fields, each.fields, each.name);
  end loop;
  perform setval(name, value, is_called) from fresh.sequences;
  return true;
end $$;
"""

# Whoever is still there, a killed server's connection say, would hold rows locked.
END_OTHERS = """
select pg_terminate_backend(pid, 10000 /* ms */) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


async def prepare(url: str) -> None:
    """Let clones of this migrated database be restored."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(PREPARE)
    finally:
        await connection.close()


async def restore(url: str) -> bool:
    """Bring a clone's first rows back; False where it has to be made anew.

    That is so where its tables are others than they were, or it cannot be reached.
    """
    with contextlib.suppress(asyncpg.PostgresError, OSError):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(END_OTHERS)
            return await connection.fetchval("select fresh.restore()")
        finally:
            await connection.close()
    return False
