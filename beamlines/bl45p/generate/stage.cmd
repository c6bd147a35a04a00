
# $(DESC): name, velocity in mm/s, low and high limit in mm.
simstageConfig("$(PORT)", $(VELO), $(LOW), $(HIGH))
dbLoadRecords "simstage.template", "P=BL45P-MO-, M=$(M), PORT=$(PORT), DESC=$(DESC)"
