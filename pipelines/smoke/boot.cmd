< st.cmd
dbl "" "RTYP" > /tmp/boot.pvs
echo "@started"
