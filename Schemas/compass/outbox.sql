-- The outbox of FCMO Compass: every change of a client, a contact or a deal, told once and to the
-- end.
--
-- For a Supabase project (PostgreSQL 15). Run it once, as the owner of the schema, in the SQL
-- editor or with `psql -v ON_ERROR_STOP=1 -f outbox.sql`; running it again changes nothing,
-- and running it over an older version of itself adds what is new and keeps every row. Then
-- connect with the project's URL and its service key.
--
-- How it works. A trigger writes one row into `syncledger_outbox` in the very transaction that
-- changes a row, so a change and its row come or fail together. SyncLedger reads the rows with
-- `acknowledged_at is null`, appends what they say to its ledger, and acknowledges them only then.
-- There is no cursor over ids: they are drawn before a transaction commits, so a smaller id may
-- show up after a greater one, and a cursor would skip it. A row that waits is found whenever it
-- comes.
--
-- How an echo is known. SyncLedger writes the id of its command into the row's `sync_command` with
-- the change itself. The trigger puts it into `command_id` of the row for that statement alone:
-- whoever changes the row next without naming a command leaves `command_id` null, although the
-- column still holds the last one.
--
-- How compare-and-set works. `updated_at` is the row's version: the trigger stamps it with every
-- change of content, never the same moment twice for one row. SyncLedger updates with
-- `updated_at=eq.T`; no row answered means that somebody was faster.
--
-- How the tables hang together. `contacts.client_id` and `deals.client_id` name a client; one that
-- is still named cannot be deleted. Where the application has these columns already, its own
-- foreign keys stay as they are.
--
-- Row-level security. It is on for the outbox, and for a table that this file makes; a table that was there keeps the application's own rules. The service key has the role
-- `service_role`, which bypasses them; with any other key the outbox shows no rows and takes no
-- acknowledgement, and SyncLedger says so. The outbox holds personal data before and after each
-- change: give no policy on it to `anon` or `authenticated`.

begin;

-- Where the application has a table already, only what is missing is added below.
do $$
declare
    name text;
begin
    foreach name in array array['clients', 'contacts', 'deals'] loop
        if pg_catalog.to_regclass('public.' || name) is null then
            execute pg_catalog.format(
                'create table public.%I (id uuid primary key default gen_random_uuid())', name);
            execute pg_catalog.format(
                'alter table public.%I enable row level security', name);
        end if;
    end loop;
end;
$$;

alter table public.clients
    add column if not exists company_name text,
    add column if not exists website text,
    add column if not exists phone text,
    add column if not exists industry text,
    add column if not exists street text,
    add column if not exists city text,
    add column if not exists postcode text,
    add column if not exists country text,
    add column if not exists employees integer,
    add column if not exists description text,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now(),
    add column if not exists sync_command uuid;

alter table public.contacts
    add column if not exists email text,
    add column if not exists first_name text,
    add column if not exists last_name text,
    add column if not exists phone text,
    add column if not exists mobile text,
    add column if not exists title text,
    add column if not exists street text,
    add column if not exists city text,
    add column if not exists postcode text,
    add column if not exists description text,
    add column if not exists tags text[] not null default '{}',
    add column if not exists points integer not null default 0,
    add column if not exists email_opt_out boolean not null default false,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now(),
    add column if not exists sync_command uuid,
    add column if not exists client_id uuid references public.clients (id);

-- `numeric` without a scale keeps every digit of an amount as it was written.
alter table public.deals
    add column if not exists name text,
    add column if not exists client_id uuid references public.clients (id),
    add column if not exists amount numeric,
    add column if not exists stage text,
    add column if not exists close_date date,
    add column if not exists probability integer,
    add column if not exists description text,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now(),
    add column if not exists sync_command uuid;

-- Deleting a client looks for the rows that name it.
create index if not exists contacts_client_id on public.contacts (client_id);
create index if not exists deals_client_id on public.deals (client_id);

create table if not exists public.syncledger_outbox (
    id bigint generated always as identity primary key,
    table_name text not null,
    row_id uuid not null,
    operation text not null check (operation in ('insert', 'update', 'delete')),
    before jsonb,
    after jsonb,
    command_id uuid,
    changed_at timestamptz not null,
    acknowledged_at timestamptz
);

-- What waits is few among many: the index holds only that, in the order it is read.
create index if not exists syncledger_outbox_waiting
    on public.syncledger_outbox (table_name, id) where acknowledged_at is null;

-- Stamps a change before it is stored; a write that changes no content keeps its stamp.
create or replace function public.syncledger_stamp() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        new.updated_at := pg_catalog.clock_timestamp();
    elsif pg_catalog.to_jsonb(new) - array['updated_at', 'sync_command']
        is distinct from pg_catalog.to_jsonb(old) - array['updated_at', 'sync_command']
    then
        -- The clock may stand still or be set back; a version may not come twice.
        new.updated_at := greatest(
            pg_catalog.clock_timestamp(), old.updated_at + interval '1 microsecond');
    else
        new.updated_at := old.updated_at;
    end if;
    return new;
end;
$$;

-- Writes down what a change did, with the columns before and after.
--
-- The function runs with its owner's rights: whoever may change a row need not be able to see the
-- outbox. It writes moments in UTC, as PostgREST answers them.
create or replace function public.syncledger_record() returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
    command uuid;
begin
    if tg_op = 'UPDATE' then
        if pg_catalog.to_jsonb(new) - array['updated_at', 'sync_command']
            is not distinct from pg_catalog.to_jsonb(old) - array['updated_at', 'sync_command']
        then
            return null;
        end if;
        -- Every command has an id of its own: one that stood there before is not this change's.
        if new.sync_command is distinct from old.sync_command then
            command := new.sync_command;
        end if;
    elsif tg_op = 'INSERT' then
        command := new.sync_command;
    end if;
    insert into public.syncledger_outbox
        (table_name, row_id, operation, before, after, command_id, changed_at)
    values (
        tg_table_name,
        case when tg_op = 'DELETE' then old.id else new.id end,
        pg_catalog.lower(tg_op),
        case when tg_op <> 'INSERT' then pg_catalog.to_jsonb(old) end,
        case when tg_op <> 'DELETE' then pg_catalog.to_jsonb(new) end,
        command,
        case when tg_op = 'DELETE' then pg_catalog.clock_timestamp() else new.updated_at end);
    return null;
end;
$$;

revoke execute on function public.syncledger_stamp() from public;
revoke execute on function public.syncledger_record() from public;

-- TRUNCATE fires no row trigger: nobody would hear that everybody is gone.
create or replace function public.syncledger_no_truncate() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    raise exception '% are synchronised: use DELETE, which the outbox records', tg_table_name;
end;
$$;

-- PostgreSQL fires triggers of one kind in the order of their names: these come after those of the
-- application, so that they stamp what it made of the row.
do $$
declare
    name text;
begin
    foreach name in array array['clients', 'contacts', 'deals'] loop
        execute pg_catalog.format(
            'drop trigger if exists zz_syncledger_stamp on public.%I', name);
        execute pg_catalog.format(
            'create trigger zz_syncledger_stamp before insert or update on public.%I '
            'for each row execute function public.syncledger_stamp()', name);
        execute pg_catalog.format(
            'drop trigger if exists zz_syncledger_record on public.%I', name);
        execute pg_catalog.format(
            'create trigger zz_syncledger_record after insert or update or delete on public.%I '
            'for each row execute function public.syncledger_record()', name);
        execute pg_catalog.format(
            'drop trigger if exists zz_syncledger_no_truncate on public.%I', name);
        execute pg_catalog.format(
            'create trigger zz_syncledger_no_truncate before truncate on public.%I '
            'for each statement execute function public.syncledger_no_truncate()', name);
    end loop;
end;
$$;

alter table public.syncledger_outbox enable row level security;

-- Supabase's roles; on a plain PostgreSQL there are none.
do $$
begin
    if exists (select from pg_roles where rolname = 'service_role') then
        grant select, insert, update, delete 
            on public.clients, public.contacts, public.deals to service_role;
        grant select, update, delete on public.syncledger_outbox to service_role;
    end if;
    if exists (select from pg_roles where rolname = 'anon') then
        revoke all on public.syncledger_outbox from anon, authenticated;
    end if;
end;
$$;

-- Deletes what was acknowledged long ago; call it from a schedule (pg_cron) where rows pile up.
create or replace function public.syncledger_purge(older_than interval default '30 days')
returns bigint
language sql
set search_path = ''
as $$
    with gone as (
        delete from public.syncledger_outbox
        where acknowledged_at < pg_catalog.now() - older_than
        returning 1
    )
    select pg_catalog.count(*) from gone;
$$;

revoke execute on function public.syncledger_purge(interval) from public;

commit;

-- PostgREST keeps the schema in memory: this makes it look again.
notify pgrst, 'reload schema';
