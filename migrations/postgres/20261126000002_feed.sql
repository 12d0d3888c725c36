-- A channel that its member wants to stay quiet.
ALTER TABLE memberships ADD COLUMN muted boolean NOT NULL DEFAULT false;
