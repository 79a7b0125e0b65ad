module smoothtopk

go 1.24
