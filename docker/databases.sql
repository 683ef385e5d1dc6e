-- The databases of the origins in docker/topology.yaml; run once, on an empty volume.
create database shop_eu;
create database shop_us;
